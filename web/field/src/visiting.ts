// Whether somebody is on the way to a door or behind it: then nothing may come between.

import { computed } from 'vue'
import { day, page } from './phone'

const UNDER_WAY = ['set_out', 'at_door', 'working']

export const visiting = computed(() => {
  // The list is read when somebody looks at it: of the job that is shown the page knows more.
  const shown = page.value?.job.id
  const others = (day.value?.days ?? []).flatMap(({ lines }) => lines).filter((line) => line.job !== shown)
  const statuses = [...others.map((line) => line.status), page.value?.standing.status ?? '']
  return statuses.some((status) => UNDER_WAY.includes(status))
})
