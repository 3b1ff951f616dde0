// Defines the parts of a spec that adopts a capture made without Sluice.
export const EXISTING = {
  topics: { 'public.accounts': 'shop.public.accounts' },
  publication: 'shop_pub',
  slot: 'shop_cdc',
  connector: 'shop-cdc',
};

export const ADOPTING = { adopt: true, existing: EXISTING };
