// The package snappyjs contains no TypeScript types.
declare module 'snappyjs' {
  const snappy: { uncompress(compressed: Uint8Array, maxLength?: number): Uint8Array };
  export default snappy;
}
