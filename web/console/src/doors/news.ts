// When what the hall knows of doors may have changed: a job, a household, or a minute of waiting.

import { onChange, onNews } from '../live'

const SETTLE_MS = 500
const MINUTE_MS = 60_000

/** Reads again soon after news of a household, or of any; returns what ends it. */
export function whenDoorsChange(household: () => string | null, read: () => Promise<void>): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const soon = () => {
    clearTimeout(timer)
    timer = setTimeout(() => void read().catch(() => undefined), SETTLE_MS)
  }
  const concerns = (which: string) => household() === null || !which || which === household()
  const deaf = [onNews((what, which) => what === 'household' && concerns(which) && soon()), onChange((job) => concerns(job.household.id) && soon())]
  const waiting = setInterval(soon, MINUTE_MS)
  return () => {
    clearTimeout(timer)
    clearInterval(waiting)
    deaf.forEach((end) => end())
  }
}
