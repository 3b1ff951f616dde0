// Proves that a worker has a slot free for the final window, before writers are held up for it.

export function createHoldSlotActivities() {
  return {
    /** Does nothing. That it ran shows that the queue of the hold is served and has a free slot. */
    async findHoldSlot(): Promise<void> {
      return Promise.resolve();
    },
  };
}
