import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'turso',
  schema: './packages/store/src/tables/index.ts',
  out: './migrations',
});
