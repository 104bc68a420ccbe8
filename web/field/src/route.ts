// Where in the app: a short path in the address, so that the phone's own back button works.

import { ref } from 'vue'

export type Route = { at: 'day' } | { at: 'phone' } | { at: 'job'; job: string; part: string | null }

export const route = ref<Route>(read())

addEventListener('hashchange', () => {
  route.value = read()
})

export function go(path: string): void {
  location.hash = path
}

/** One step back, or to a path when the app was opened here. */
export function back(path: string): void {
  if (history.state === null && history.length <= 1) go(path)
  else history.back()
}

function read(): Route {
  const [, first, job, part] = location.hash.split('/')
  if (first === 'phone') return { at: 'phone' }
  if (first === 'job' && job) return { at: 'job', job, part: part ?? null }
  return { at: 'day' }
}

/** What an enrolment link says; read once, then taken out of the address. */
export function enrolmentLink(): Record<string, string> {
  if (!location.hash.startsWith('#enrol?')) return {}
  const link = new URLSearchParams(location.hash.slice('#enrol?'.length))
  history.replaceState(null, '', location.pathname)
  const known = ['login', 'password', 'code', 'pin'].filter((name) => link.has(name))
  return Object.fromEntries(known.map((name) => [name, link.get(name) ?? '']))
}
