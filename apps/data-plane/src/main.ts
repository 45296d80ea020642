export { type Joined, joinZone } from './agent/join.ts';
export { type NodeOptions, type RunningNode, startNode } from './node.ts';
export { nativeBindingLoaded } from './ssh/binding.ts';
