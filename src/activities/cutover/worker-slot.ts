// Proves, before the fence blocks writers, that a worker has a free slot for the final window.

export function createHoldSlotActivities() {
  return {
    /**
     * Does nothing. If this activity runs, a worker serves the hold's queue and has a free slot.
     */
    async findHoldSlot(): Promise<void> {
      return Promise.resolve();
    },
  };
}
