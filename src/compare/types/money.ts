// Reads money. Postgres stores a whole number, and prints it as the server's locale demands.
// Debezium writes a decimal with two digits after the point.
import { fail, text, wrong, type Codec } from './codec.js';

const amount = (isNegative: boolean, digits: string): string => {
  const whole = String(BigInt(digits)).padStart(3, '0');
  const sign = isNegative && /[1-9]/.test(whole) ? '-' : '';
  return `${sign}${whole.slice(0, -2)}.${whole.slice(-2)}`;
};

const OTHER_NUMBER = /^-?\d+(?:\.(?!\d\d$)\d*)?$/;

/** Reads the stored number. Its digits are the same in every locale: `$1,234.50`, `1.234,50 €`. */
function stored(printed: string): string {
  // The text of money has a currency sign or exactly two decimals. Any other number is not money.
  if (OTHER_NUMBER.test(printed)) return fail('expected an amount');
  const digits = printed.replaceAll(/\D/g, '');
  return digits === '' ? fail('expected an amount') : amount(/[-(\u2212]/.test(printed), digits);
}

export const money: Codec = {
  fromText: stored,
  fromJson: (value) => {
    const match = /^(-?)(\d{1,20})\.(\d\d)$/.exec(text(value));
    return match ? amount(match[1] === '-', match[2]! + match[3]!) : wrong('expected an amount');
  },
};
