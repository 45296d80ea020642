export { createApi } from './app.ts';
export { type ChangeFeed, inProcessFeed, pollingFeed } from './change-feed.ts';
export type { Dependencies } from './dependencies.ts';
export { runDueWork } from './domain/due-work.ts';
export { isInnerHost } from './domain/list-address.ts';
export type { ListFetching, ListRequest } from './domain/list-download.ts';
export { publishPending } from './domain/publish.ts';
export { hashPassword } from './hash-password.ts';
export type { Bindings } from './register.ts';
