/** Facts of an event by name; never a secret. */
export type EventDetail = Readonly<Record<string, string | number>>;
