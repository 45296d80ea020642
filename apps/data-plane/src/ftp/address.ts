import { isIPv4 } from 'node:net';
import type { FtpServer } from '@sallyport/model';
import type { Session } from '../session.ts';
import type { RunningServer } from '../zone-view.ts';

/**
 * The address that a PASV answer names: the node's override, else the first rule for the account's class, else the
 * server's own, else where the control connection came in.
 *
 * @param local address of our end of the control connection
 * @returns an IPv4 address; nothing where only IPv6 is left
 */
export function passiveAddress(
  running: RunningServer<FtpServer>,
  session: Session,
  local: string,
): string | undefined {
  const { ftp } = running.server;
  const address =
    running.passiveAddress ?? ruledAddress(ftp.passiveAddressRules, session) ?? ftp.passiveAddress ?? local;
  return isIPv4(address) ? address : undefined;
}

function ruledAddress(rules: FtpServer['ftp']['passiveAddressRules'], session: Session): string | undefined {
  if (rules.length === 0) return undefined;
  return rules.find((rule) => rule.userClass === '*' || rule.userClass === session.userClass)?.address;
}
