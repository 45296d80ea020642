import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/process.ts';
import { type BaseKey, type CorpusFile, certificateSha256, password, together } from './corpus.ts';
import { must } from './tools.ts';

const ciphers = ['3des', '3des-pkcs12', 'aes-128', 'aes-192', 'aes-256', 'rc2-40', 'arcfour'];

/** Keys and certificates by GnuTLS. */
export async function certtoolFiles(keys: readonly BaseKey[]): Promise<CorpusFile[]> {
  const folder = temporaryFolder();
  const at = (name: string): string => join(folder, name.replace(/[^A-Za-z0-9.-]/g, '_'));
  writeFileSync(
    at('template'),
    'cn = "gnutls"\ndns_name = "gate.example"\nexpiration_days = 9\nsigning_key\ntls_www_server\n',
  );
  const files = await together(keys, async (key): Promise<CorpusFile[]> => {
    const certificate = at(`${key.label}.crt`);
    const load = ['--load-privkey', key.file];
    await must('certtool', [
      '--generate-self-signed',
      ...load,
      '--template',
      at('template'),
      '--outfile',
      certificate,
    ]);
    const chain = [await certificateSha256(certificate)];
    const made: CorpusFile[] = [];
    const add = async (
      name: string,
      args: readonly string[],
      more: Pick<CorpusFile, 'form'> & Partial<CorpusFile>,
    ): Promise<void> => {
      const target = at(`${key.label} ${name}`);
      await must('certtool', [...args, '--outfile', target]);
      made.push({
        name: `certtool ${key.label} ${name}`,
        bytes: readFileSync(target),
        facts: key.facts,
        ...more,
      });
    };
    const protect = ['--password', password];
    const withKey = { form: 'private-key', chain, password } as const;
    const bag = ['--to-p12', ...load, '--load-certificate', certificate, '--p12-name', 'gate', ...protect];
    await add('certificate DER', ['--certificate-info', '--infile', certificate, '--outder'], {
      form: 'certificates',
      chain,
    });
    await add('PKCS#8', ['--to-p8', ...load, '--password', ''], { form: 'private-key' });
    await add('private key', ['-k', '--infile', key.file, '--no-text'], { form: 'private-key' });
    await add('PKCS#7', ['--p7-generate', '--load-certificate', certificate], {
      form: 'certificates',
      chain,
    });
    // Every file costs 600,000 iterations, and one with a MAC twice as many.
    if (key.label !== 'p256') return made;
    for (const cipher of ciphers) {
      const how = ['--pkcs-cipher', cipher, ...protect];
      await add(`PKCS#8 ${cipher}`, ['--to-p8', ...load, ...how], { form: 'private-key', password });
    }
    await add('PKCS#12 PEM', bag, withKey);
    for (const cipher of ['3des-pkcs12', 'rc2-40', 'aes-128']) {
      await add(`PKCS#12 ${cipher}`, [...bag, '--pkcs-cipher', cipher, '--outder'], withKey);
    }
    return made;
  });
  return files.flat();
}
