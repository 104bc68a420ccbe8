// Whether somebody is on the way to a door or behind it: then nothing may come between.

import { computed } from 'vue'
import { day, page } from './phone'

const UNDER_WAY = ['set_out', 'at_door', 'working']

export const visiting = computed(() => {
  const listed = (day.value?.days ?? []).flatMap(({ lines }) => lines.map((line) => line.status))
  const shown = page.value ? [page.value.standing.status] : []
  return [...listed, ...shown].some((status) => UNDER_WAY.includes(status))
})
