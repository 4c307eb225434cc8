/** No host's name, which is known without a question to anybody: it has an empty label. */
export const UNKNOWN_HOST = 'no-such..host';
