// What makes a person look at a phone that lies on a table, as far as the browser lets a page do it.

import { onUnmounted, watch } from 'vue'

const EVERY_MS = 2_000

/** Vibrates for as long as there is something to answer. */
export function startBuzzing(what: () => string | null): void {
  let timer: ReturnType<typeof setInterval> | undefined
  const stop = () => clearInterval(timer)
  watch(
    what,
    (some) => {
      stop()
      if (!some || !('vibrate' in navigator)) return
      const buzz = () => navigator.vibrate([400, 200, 400])
      buzz()
      timer = setInterval(buzz, EVERY_MS)
    },
    { immediate: true },
  )
  onUnmounted(stop)
}

/** Minutes and seconds, as a clock on a wall shows them. */
export function leakClock(ms: number): string {
  const seconds = Math.floor(Math.abs(ms) / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
