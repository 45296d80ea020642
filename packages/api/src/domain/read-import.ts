import { type Bytes, fromBase64, utf8 } from '@sallyport/bytes';
import { type Fault, FaultError } from '@sallyport/faults';
import type { CertificateImport } from '@sallyport/model';
import {
  type ImportedMaterial,
  type Issuer,
  importKeyMaterial,
  type ParsedCertificate,
} from '@sallyport/pki';
import { findAccount, findZone, type Queries } from '@sallyport/store';
import type { Dependencies } from '../dependencies.ts';
import { newRow, type RowBasis } from './certificate-row.ts';
import { wrappingIssuer, wrapSshKey } from './issuers.ts';
import type { MadeCertificate } from './made-certificate.ts';

/** What came in a file, and the field that it came in. */
export type ReadFile = {
  readonly material: Exclude<ImportedMaterial, { form: 'choice' }>;
  readonly pointer: string;
};

type File = Pick<CertificateImport, 'data' | 'text' | 'password' | 'choice'>;

/**
 * Reads the file of an import and makes the row it comes to. It may cost seconds of key derivation, so it is called
 * before the write lock is taken.
 *
 * @param options `prefix` of the fields in the request; `id` of the row whose place it is to take
 * @throws FaultError on the field that is wrong, with what was recognised in it
 */
export async function readImport(
  deps: Dependencies,
  surroundings: ImportSurroundings,
  request: CertificateImport,
  { prefix = '', id }: { readonly prefix?: string; readonly id?: string } = {},
): Promise<MadeCertificate> {
  const file = await readFile(request, await surroundings.allowsRsa1024(request), prefix);
  const { basis, chain, privateKey } = await contentOf(deps, surroundings, request, file);
  return { row: await newRow(deps, basis, chain, privateKey, id), pointer: file.pointer };
}

/** What imports ask the database, once for many of them. */
export type ImportSurroundings = {
  allowsRsa1024(request: CertificateImport): Promise<boolean>;
  issuer(): Promise<Issuer>;
};

/** Asks the database when the first import wants to know, and keeps the answer as long as the request lasts. */
export function importSurroundings(deps: Dependencies, queries: Queries): ImportSurroundings {
  const allowed = new Map<string, Promise<boolean>>();
  let issuer: Promise<Issuer> | undefined;
  return {
    allowsRsa1024(request) {
      const key = JSON.stringify([request.kind, 'zones' in request ? request.zones : ownerOf(request)]);
      const known = allowed.get(key) ?? allowsRsa1024(queries, request);
      allowed.set(key, known);
      return known;
    },
    issuer() {
      issuer ??= wrappingIssuer(deps, queries);
      return issuer;
    },
  };
}

const ownerOf = (request: CertificateImport): string | undefined =>
  'account' in request ? request.account : undefined;

/** Do all the zones that the key is for take RSA of 1024 bits? What they say when it is written counts. */
async function allowsRsa1024(queries: Queries, request: CertificateImport): Promise<boolean> {
  // Whoever breaks the key of a CA makes logins at will.
  if (request.kind === 'trusted') return false;
  const zones =
    'zones' in request ? request.zones : ((await findAccount(queries, request.account))?.zones ?? []);
  const rows = await Promise.all(zones.map((zone) => findZone(queries, zone)));
  return rows.length > 0 && rows.every((zone) => zone !== undefined && takesRsa1024(zone));
}

const takesRsa1024 = ({ importRsaBits }: { readonly importRsaBits: number }): boolean =>
  importRsaBits <= 1_024;

/**
 * Reads key material from `data` or `text`.
 *
 * @param prefix where the two stand in the request
 * @throws FaultError on the field: the faults of `importKeyMaterial`, and `import-choice-required` with the entries
 */
export async function readFile(file: File, allowRsa1024: boolean, prefix = ''): Promise<ReadFile> {
  const { data, text, password, choice } = file;
  if ((data === undefined) === (text === undefined)) {
    const detail = 'give the file as data (base64) or as text, one of the two';
    throw onField({ code: 'invalid-request', detail }, `${prefix}/data`);
  }
  const pointer = `${prefix}/${data === undefined ? 'text' : 'data'}`;
  const bytes = data === undefined ? utf8(text ?? '') : fromBase64(data);
  const imported = await importKeyMaterial(bytes, { password, choice, allowRsa1024 });
  if (!imported.ok) {
    const aboutPassword = imported.fault.code.startsWith('key-password');
    throw onField(imported.fault, aboutPassword ? `${prefix}/password` : pointer);
  }
  const material = imported.value;
  if (material.form === 'choice') throw choiceRequired(material, `${prefix}/choice`);
  return { material, pointer };
}

const onField = (fault: Fault, pointer: string): FaultError =>
  new FaultError({ ...fault, fields: [{ pointer, detail: fault.detail ?? 'cannot be read' }] });

function choiceRequired(
  material: Extract<ImportedMaterial, { form: 'choice' }>,
  pointer: string,
): FaultError {
  const entries = material.entries.map(({ name, key, subject }) => ({
    pointer,
    detail: `${name}: ${key.type} ${key.sshFingerprint}${subject === undefined ? '' : `, ${subject}`}`,
  }));
  return new FaultError({
    code: 'import-choice-required',
    detail: `${material.recognised}: name one entry as choice`,
    fields: entries,
  });
}

/** What a row is made of. */
export type ImportContent = {
  readonly basis: RowBasis;
  readonly chain: readonly Bytes[];
  readonly privateKey?: Bytes;
};

/** Certificates of a chain, as many as a server's snapshot record takes. */
const longestChain = 10;

function ders(chain: readonly ParsedCertificate[]): Bytes[] {
  if (chain.length > longestChain)
    throw new FaultError({
      code: 'certificate-malformed',
      detail: `a chain of ${chain.length}; at most ${longestChain}`,
    });
  return chain.map(({ der }) => der);
}
const commentOf = (comment: string): string | null => comment.trim().slice(0, 200) || null;

async function contentOf(
  deps: Dependencies,
  surroundings: ImportSurroundings,
  request: CertificateImport,
  { material, pointer }: ReadFile,
): Promise<ImportContent> {
  const refused = (detail: string, at = pointer): FaultError =>
    onField({ code: 'certificate-purpose', detail }, at);
  const { kind, alias } = request;
  const wrap = async (spki: Bytes, role: 'ssh-client' | 'ssh-server') => [
    await wrapSshKey(await surroundings.issuer(), { spki, role, name: alias }, deps.now()),
  ];
  const what = `this is ${material.recognised}`;
  switch (kind) {
    case 'local':
    case 'private': {
      if (material.form !== 'private-key')
        throw refused(`${what}; a ${kind} certificate needs its private key`);
      const { spki, pkcs8: privateKey, chain, name } = material;
      const owner =
        kind === 'local'
          ? { zones: request.zones, sharedKeyWaiver: request.sharedKeyWaiver ?? null }
          : { account: request.account };
      const basis: RowBasis = { alias, kind, ...owner };
      if (chain.length > 0) return { basis, chain: ders(chain), privateKey };
      const wrapper = await wrap(spki, kind === 'local' ? 'ssh-server' : 'ssh-client');
      return {
        basis: { ...basis, form: 'ssh-key', comment: commentOf(name) },
        chain: wrapper,
        privateKey,
      };
    }
    case 'partner':
      if (material.form !== 'certificates') throw refused(`${what}; a partner certificate is X.509`);
      return { basis: { alias, kind, account: request.account }, chain: ders(material.chain) };
    case 'trusted': {
      if (material.form === 'ssh-public-key') {
        const { comment, options } = material;
        const basis: RowBasis = {
          alias,
          kind,
          form: 'ssh-key',
          usage: 'ssh-ca',
          comment: commentOf(comment),
          sources: options.sources ? [...options.sources] : null,
          validUntil: instant(options.validUntil),
        };
        return { basis, chain: await wrap(material.spki, 'ssh-client') };
      }
      if (material.form !== 'certificates') throw refused(`${what}, not a CA certificate`);
      const [ca, ...others] = [...material.chain, ...material.extra];
      if (!ca || others.length > 0) throw refused('import one CA certificate at a time');
      checkCa(ca, deps.now(), refused);
      return { basis: { alias, kind, usage: 'tls-clients' }, chain: [ca.der] };
    }
    case 'login': {
      const { account, match, anchor, validUntil } = request;
      if (material.form === 'ssh-public-key') {
        const { options, comment } = material;
        if (options.certAuthority) {
          throw refused('cert-authority: this key is no login but a CA of logins; import it as kind trusted');
        }
        if (match !== undefined && match !== 'public-key')
          throw refused('an SSH key matches by public-key', '/match');
        if (anchor === 'pinned') throw refused('an SSH key needs no anchor', '/anchor');
        const basis: RowBasis = {
          alias,
          kind,
          account,
          form: 'ssh-key',
          match: 'public-key',
          anchor: 'path',
          validUntil: instant(validUntil ?? options.validUntil),
          comment: commentOf(comment),
          sources: options.sources ? [...options.sources] : null,
        };
        return { basis, chain: await wrap(material.spki, 'ssh-client') };
      }
      if (material.form === 'ssh-certificate') {
        throw refused(`${what}; it logs in through its CA: import that CA's key as kind trusted`);
      }
      if (material.form !== 'certificates')
        throw refused(`${what}; a login certificate takes a public key or a certificate`);
      if (material.chain[0]?.isCa) throw refused('a CA certificate cannot log in');
      if (anchor === 'pinned' && match === 'issuer+subject')
        throw refused('a pinned certificate matches by certificate or public-key', '/match');
      const basis: RowBasis = {
        alias,
        kind,
        account,
        match: match ?? 'certificate',
        anchor: anchor ?? 'path',
        validUntil: instant(validUntil),
      };
      return { basis, chain: ders(material.chain) };
    }
  }
}

/** A time in the one form that rows are compared in. */
export const instant = (time: string | undefined): string | null =>
  time === undefined ? null : new Date(time).toISOString();

/** Throws where a certificate is no CA that may sign now or later. */
export function checkCa(ca: ParsedCertificate, now: number, refused: (detail: string) => FaultError): void {
  if (!ca.isCa) throw refused('basicConstraints does not say CA');
  if (ca.keyUsage && !ca.keyUsage.includes('keyCertSign'))
    throw refused('its key usage does not allow to sign certificates');
  if (ca.notAfter.getTime() <= now) throw refused('the CA has expired');
}
