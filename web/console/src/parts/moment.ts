// Fields for a day and a time, as the hall's city reads its clock.

import { offset } from '../session'

const MINUTE_MS = 60_000

/** What a field for day and time holds, in the hall's city. */
export const fieldOf = (ms: number) => new Date(ms + offset() * MINUTE_MS).toISOString().slice(0, 16)

/** The instant that such a field means; none while it is not filled in. */
export function instantOf(field: string): number | null {
  const ms = Date.parse(`${field}:00Z`)
  return Number.isNaN(ms) ? null : ms - offset() * MINUTE_MS
}
