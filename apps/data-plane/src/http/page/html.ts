/** Text that is HTML already. Only `html` makes it, so that nothing gets into a page unescaped. */
export type Html = { readonly markup: string };

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? '');

const rendered = (value: string | number | Html | readonly Html[]): string =>
  typeof value === 'object'
    ? 'markup' in value
      ? value.markup
      : value.map(({ markup }) => markup).join('')
    : escaped(String(value));

/** A template whose values are escaped, for text and for attributes in quotes, unless they are HTML themselves. */
export const html = (
  parts: TemplateStringsArray,
  ...values: readonly (string | number | Html | readonly Html[])[]
): Html => ({
  markup: parts.reduce((text, part, index) => text + rendered(values[index - 1] ?? '') + part),
});

/** In place of a part that is left out. */
export const nothing: Html = { markup: '' };
