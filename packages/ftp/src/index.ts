export { type AsciiConverter, fromNetworkAscii, toNetworkAscii } from './ascii.ts';
export {
  type ControlEffect,
  type ControlEvent,
  type ControlRules,
  type ControlState,
  type FileCommand,
  initialState,
  type LoginState,
  type Placing,
  type Step,
  type Transfer,
} from './control-state.ts';
export { type Fact, knownFacts } from './facts.ts';
export { operate } from './file-commands.ts';
export type { HashRequest } from './hash.ts';
export { createLineReader, type LineReader, maxLineBytes, type ReadLine } from './line-reader.ts';
export { type ListingFormat, listing } from './listing.ts';
export { encodeText, type NameEncoding } from './name-encoding.ts';
export type { PassiveEndpoint } from './passive.ts';
export { faultReply, formatReply, type Reply, reply } from './reply.ts';
export { step } from './step.ts';
