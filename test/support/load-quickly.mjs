// Loaded by each process of vitest before anything else (`execArgv` in vitest.config.ts).
import { loadQuickly } from '@sallyport/cli/quick-loading';

loadQuickly();
