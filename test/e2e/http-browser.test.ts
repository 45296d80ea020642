// Somebody without a client opens the page in Chromium: signs in, uploads by the form and by dropping, sees progress,
// downloads, makes, renames and deletes, signs out; once with scripts and once without.
import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventually, temporaryFolder } from '../support/process.ts';
import { type OpenBrowser, openBrowser, type Page, signIn } from './support/browser.ts';
import { type Quickstart, startQuickstart, storedFile } from './support/quickstart.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 90_000 });

let quickstart: Quickstart;
const folder = temporaryFolder();
const report = join(folder, 'report 2026.csv');
const content = 'a;b;c\n'.repeat(50_000);

beforeAll(async () => {
  writeFileSync(report, content);
  quickstart = await startQuickstart();
});
afterAll(() => quickstart.stop());

async function withBrowser(
  scripts: 'on' | 'off',
  story: (open: OpenBrowser) => Promise<void>,
): Promise<void> {
  const open = await openBrowser(quickstart.contract, scripts);
  try {
    await story(open);
  } finally {
    await open.browser.close();
  }
}

const namesOn = (page: Page): Promise<string[]> =>
  page.$$eval('td.name a:not(.up)', (links) => links.map((link) => link.textContent ?? ''));
const stored = async (name: string) => (await storedFile(quickstart, 'demo', name)).toString();

async function submit(page: Page, button: string): Promise<void> {
  await Promise.all([page.waitForNavigation(), page.click(button)]);
}

test('with scripts', async () => {
  await withBrowser('on', async ({ page, downloads }) => {
    const { account } = quickstart.contract;
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    expect(await page.title()).toBe('Sign in');
    await signIn(page, account.name, 'not it');
    expect(await page.$eval('[role=alert]', (alert) => alert.textContent)).toContain('not right');
    await signIn(page, account.name, account.password);
    expect(await page.title()).toBe('Files');

    const input = await page.$('input#files');
    const uploaded = page.waitForNavigation();
    await input?.uploadFile(report);
    await uploaded;
    expect(await namesOn(page)).toContain('report 2026.csv');
    expect(await stored('report 2026.csv')).toBe(content);

    // A file of the same name is not replaced before somebody says so.
    writeFileSync(report, 'second');
    await (await page.$('input#files'))?.uploadFile(report);
    await page.waitForSelector('#uploads button:not([hidden])');
    expect(await stored('report 2026.csv')).toBe(content);
    await submit(page, '#uploads button');
    expect(await stored('report 2026.csv')).toBe('second');

    // Dropped on the page; its progress is told.
    const dropped = page.waitForNavigation();
    const line = await page.evaluate(async () => {
      const data = new DataTransfer();
      data.items.add(new File(['x'.repeat(2_000_000)], 'dropped.bin'));
      document.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
      await new Promise((resolve) => setTimeout(resolve, 0));
      return document.querySelector('#uploads')?.textContent;
    });
    expect(line).toMatch(/^dropped\.bin(?:Waiting|\d+ %)/);
    await dropped;
    expect((await stored('dropped.bin')).length).toBe(2_000_000);

    await page.click('a[href="/report%202026.csv"]');
    await eventually(
      async () => expect(await readFile(join(downloads, 'report 2026.csv'), 'utf8')).toBe('second'),
      {
        timeoutMs: 20_000,
      },
    );
    await submit(page, '.account button');
    expect(await page.title()).toBe('Sign in');
    await page.goBack();
    expect(await page.title()).toBe('Sign in');
    expect(errors).toEqual([]);
  });
});

test('without scripts', async () => {
  await withBrowser('off', async ({ page }) => {
    const { account } = quickstart.contract;
    await signIn(page, account.name, account.password);
    await page.type('#folder', 'In & out');
    await submit(page, '.folder button');
    await submit(page, 'a.directory[href="/In%20%26%20out/"]');
    expect(await page.$eval('h1', (heading) => heading.textContent)).toBe('In & out');
    const input = await page.$('input#files');
    await input?.uploadFile(report);
    await submit(page, '#upload button');
    expect(await namesOn(page)).toEqual(['report 2026.csv']);
    expect(await stored('In & out/report 2026.csv')).toBe(readFileSync(report, 'utf8'));

    await submit(page, '.actions a');
    await page.$eval('[name=name]', (field) => {
      (field as HTMLInputElement).value = '';
    });
    await page.type('[name=name]', 'final.csv');
    await submit(page, 'button.main');
    expect(await namesOn(page)).toEqual(['final.csv']);
    await submit(page, '.actions a:last-child');
    await submit(page, 'button.danger');
    expect(await namesOn(page)).toEqual([]);
    await submit(page, '.account button');
    expect(await page.title()).toBe('Sign in');
  });
});
