// What a runtime serves so that a test can import a corpus on it.
import { fromBase64 } from '@sallyport/bytes';
import { importKeyMaterial } from '@sallyport/pki';

/** A file on its way to a runtime. */
export type ImportJob = { readonly base64: string; readonly password?: string; readonly choice?: string };

/** What came out, in a form that travels: enough to tell two results apart. */
export async function importJob({ base64, password, choice }: ImportJob): Promise<unknown> {
  const imported = await importKeyMaterial(fromBase64(base64), {
    password,
    choice,
    workMilliseconds: 60_000,
  });
  return JSON.parse(
    JSON.stringify(imported, (_, value) => {
      if (value instanceof Map) return [...value];
      return typeof value === 'bigint' ? String(value) : value;
    }),
  );
}

/** Imports the files of a request. */
export async function serveImports(request: Request): Promise<Response> {
  if (request.method !== 'POST') return new Response('ready');
  const results: unknown[] = [];
  for (const job of (await request.json()) as ImportJob[]) results.push(await importJob(job));
  return Response.json(results);
}

export default { fetch: serveImports };
