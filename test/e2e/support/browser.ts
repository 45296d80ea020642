// Chromium, headless, driven over its debugging protocol. It trusts the quickstart's CA for this run alone.
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { temporaryFolder } from '../../support/process.ts';
import { urlOf } from './curl.ts';
import type { Contract } from './quickstart.ts';

export type { Page };

/** A browser with one page open, which writes what it downloads to `downloads`. */
export type OpenBrowser = { readonly browser: Browser; readonly page: Page; readonly downloads: string };

/** SHA-256 of the public key of each certificate of a file, as `--ignore-certificate-errors-spki-list` takes it. */
const keysOf = (pem: string): string =>
  (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [])
    .map((text) => new X509Certificate(text).publicKey.export({ type: 'spki', format: 'der' }))
    .map((der) => createHash('sha256').update(der).digest('base64'))
    .join(',');

/** Starts a browser and opens the page of the demo's HTTPS server. @param scripts whether its pages may run any */
export async function openBrowser(contract: Contract, scripts: 'on' | 'off' = 'on'): Promise<OpenBrowser> {
  const profile = temporaryFolder();
  const downloads = join(profile, 'downloads');
  const browser = await puppeteer.launch({
    executablePath: '/usr/bin/chromium',
    userDataDir: profile,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      `--ignore-certificate-errors-spki-list=${keysOf(readFileSync(contract.files.ca, 'utf8'))}`,
    ],
  });
  const page = await browser.newPage();
  page.setDefaultTimeout(30_000);
  await page.setJavaScriptEnabled(scripts === 'on');
  const session = await browser.target().createCDPSession();
  await session.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: downloads });
  await page.goto(urlOf(contract, 'https', ''));
  return { browser, page, downloads };
}

/** Fills the form in and sends it. */
export async function signIn(page: Page, name: string, password: string): Promise<void> {
  await page.type('[name=user]', name);
  await page.type('[name=password]', password);
  await Promise.all([page.waitForNavigation(), page.click('button.main')]);
}
