export { type AsciiConverter, fromNetworkAscii, toNetworkAscii } from './ascii.ts';
export {
  type ControlEffect,
  type ControlEvent,
  type ControlRules,
  type ControlState,
  type FileCommand,
  initialState,
  type LoginState,
  type Step,
  type Transfer,
} from './control-state.ts';
export { operate } from './file-commands.ts';
export { createLineReader, type LineReader, maxLineBytes, type ReadLine } from './line-reader.ts';
export { type Fact, knownFacts, type ListingFormat, listing } from './listing.ts';
export type { PassiveEndpoint } from './passive.ts';
export { faultReply, formatReply, type Reply, reply } from './reply.ts';
export { step } from './step.ts';
