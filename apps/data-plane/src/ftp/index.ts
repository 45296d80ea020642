export { createFtpListener } from './listener.ts';
