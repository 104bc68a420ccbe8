// Long lists: only the rows that can be seen are in the page, with empty room above and below for the rest.

import { computed, onMounted, onUnmounted, ref, useTemplateRef, watch, type Ref } from 'vue'

/** Rows kept ready beyond both edges, so that fast scrolling shows no gaps. */
const BEYOND = 12
/** Until the first row was measured. */
const GUESS_PX = 34

/** Shows a window of `all` in the scrolling element with the template ref `box`; every row is as high as the first. */
export function useRows<Row>(all: Ref<readonly Row[]>, box: string) {
  const element = useTemplateRef<HTMLElement>(box)
  const [top, room, height] = [ref(0), ref(900), ref(GUESS_PX)]
  const first = computed(() => Math.max(0, Math.min(Math.floor(top.value / height.value) - BEYOND, all.value.length)))
  const last = computed(() => Math.ceil((top.value + room.value) / height.value) + BEYOND)
  const shown = computed(() => all.value.slice(first.value, last.value))
  const above = computed(() => first.value * height.value)
  const below = computed(() => Math.max(0, all.value.length - last.value) * height.value)

  function measure(): void {
    const seen = element.value
    if (!seen) return
    top.value = seen.scrollTop
    room.value = seen.clientHeight
    const row = seen.querySelector<HTMLElement>('[data-row]')
    if (row?.offsetHeight) height.value = row.offsetHeight
  }
  const watched = new ResizeObserver(measure)
  watch(element, (now, before) => {
    before?.removeEventListener('scroll', measure)
    watched.disconnect()
    now?.addEventListener('scroll', measure, { passive: true })
    if (now) watched.observe(now)
  })
  onMounted(() => requestAnimationFrame(measure))
  onUnmounted(() => watched.disconnect())
  return { shown, first, above, below }
}
