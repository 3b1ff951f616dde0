// Moves the message and the stack of a failure into a payload, so that the codec also encrypts
// them. Workers and clients load this file by its path, and the bundle of the workflow code
// contains it.
import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
