export { createHttpListener } from './listener.ts';
