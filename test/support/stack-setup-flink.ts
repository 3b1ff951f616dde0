// The test stack with Flink beside it.
import { setupWith } from './stack-setup.js';

export default (): Promise<() => Promise<void>> => setupWith('flink');
