export { nativeBindingLoaded } from './binding.ts';
export { createSshListener } from './listener.ts';
