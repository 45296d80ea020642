import type { LoginSettings, Server, SslEntry, Zone } from '@sallyport/model';

/** What names user classes of the global list, and by which ids. */
export type ClassUse = { readonly by: string; readonly classes: readonly string[] };

const ofSettings = (by: string, settings: LoginSettings): ClassUse[] => [
  { by: `the password classes of ${by}`, classes: settings.passwordClasses },
  { by: `the certificate classes of ${by}`, classes: settings.certificateClasses },
  { by: `the second factor classes of ${by}`, classes: settings.secondFactorClasses },
];

const ofEntries = (by: string, entries: readonly SslEntry[]): ClassUse[] => [
  { by, classes: entries.map(({ userClass }) => userClass).filter((userClass) => userClass !== '*') },
];

/**
 * Everything that names classes of the global list: the global documents, what zones hold instead of these while they
 * inherit the classes, and the passive address rules of their FTP servers. A zone with classes of its own names those.
 */
export function classUses(
  global: { readonly loginSettings: LoginSettings; readonly sslEntries: readonly SslEntry[] },
  zones: readonly Pick<Zone, 'id' | 'name' | 'overrides'>[],
  servers: readonly Server[],
): ClassUse[] {
  const inheriting = zones.filter(({ overrides }) => overrides.userClasses === undefined);
  const ids = new Set(inheriting.map(({ id }) => id));
  return [
    ...ofSettings('the login settings', global.loginSettings),
    ...ofEntries('the SSL entries', global.sslEntries),
    ...inheriting.flatMap(({ name, overrides: { loginSettings, sslEntries } }) => [
      ...(loginSettings ? ofSettings(`zone ${name}`, loginSettings) : []),
      ...(sslEntries ? ofEntries(`the SSL entries of zone ${name}`, sslEntries) : []),
    ]),
    ...servers.flatMap((server) =>
      server.protocol === 'ftp' && ids.has(server.zone)
        ? {
            by: `the passive address rules of server ${server.name}`,
            classes: server.ftp.passiveAddressRules
              .map(({ userClass }) => userClass)
              .filter((id) => id !== '*'),
          }
        : [],
    ),
  ];
}
