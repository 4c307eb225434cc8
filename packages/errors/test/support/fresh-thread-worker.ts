/** Tells what a new thread finds in its queues: the model's length, and the code in the real one. */
import { parentPort } from 'node:worker_threads';
import { nativeQueue } from '../../../native/test/support/native-queue.ts';
import { ErrorStack } from '../../src/index.ts';

parentPort?.postMessage({ model: ErrorStack.current().length, real: nativeQueue.getCode() }, []);
