// Proves, before the fence begins, that a worker is free to run the activity of the final window.

export function createHoldSlotActivities() {
  return {
    /**
     * Does nothing. If this activity runs, a worker serves the queue of the final window, and has
     * room for one more activity.
     */
    async findHoldSlot(): Promise<void> {
      return Promise.resolve();
    },
  };
}
