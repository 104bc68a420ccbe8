// A first password to tell somebody in person.

const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789'
const GROUPS = 4
const GROUP = 4

/** Four groups of four letters that nobody takes for each other: 79 bits. */
export function drawPassword(): string {
  const group = () => Array.from({ length: GROUP }, () => LETTERS[below(LETTERS.length)]).join('')
  return Array.from({ length: GROUPS }, group).join('-')
}

/** A number below `limit`, each as likely as the others. */
function below(limit: number): number {
  const most = Math.floor(256 / limit) * limit
  for (;;) {
    const [byte = 0] = crypto.getRandomValues(new Uint8Array(1))
    if (byte < most) return byte % limit
  }
}
