// Where in the console: a short path in the address, so that back, forward and bookmarks work.

import { ref } from 'vue'

export type Route = { at: 'board' } | { at: 'wall' } | { at: 'intake' } | { at: 'find'; text: string } | { at: 'job'; id: string }

export const route = ref<Route>(read())

addEventListener('hashchange', () => (route.value = read()))

export function go(path: string): void {
  location.hash = path
}

function read(): Route {
  const [, first, rest] = location.hash.split('/')
  if (first === 'wall') return { at: 'wall' }
  if (first === 'intake') return { at: 'intake' }
  if (first === 'find') return { at: 'find', text: decodeURIComponent(rest ?? '') }
  if (first === 'job' && rest) return { at: 'job', id: rest }
  return { at: 'board' }
}
