// Selects the adapter of a capture by the capture's kind in the resolved plan. The adapter reads
// and changes real systems.
import type { CapturePlan } from '../../domain/capture/capture.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { Registry } from '../../domain/values/adapter-registry.js';
import type { CaptureAdapter } from './capture-adapter.js';
import { adoptedCapture } from './adopted.js';
import { logCapture } from './log.js';
import { pollingCapture } from './polling.js';

export const CAPTURE_ADAPTERS = new Registry<CapturePlan['kind'], CaptureAdapter>('capture', {
  adopted: adoptedCapture,
  log: logCapture,
  polling: pollingCapture,
});

export const adapterOf = ({ capture }: ResolvedPlan): CaptureAdapter =>
  CAPTURE_ADAPTERS.of(capture.kind);
