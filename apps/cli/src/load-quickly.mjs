// Loaded by the processes of a node before anything else.
import { loadQuickly } from './quick-loading.mjs';

loadQuickly();
