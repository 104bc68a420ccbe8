// Where in the console: a short path in the address, so that back, forward and bookmarks work.

import { ref } from 'vue'

/** A list, and one of it when `id` is not empty. */
type Shelf = 'applications' | 'cases' | 'households' | 'due' | 'outages' | 'figures' | 'admin'

export type Route =
  | { at: 'board' | 'wall' | 'reminders' | 'cash' | 'doors' | 'me' | 'find' }
  | { at: 'intake'; from: string }
  | { at: 'job'; id: string }
  | { at: Shelf; id: string }

export const route = ref<Route>(read())

/** What is searched for: names and numbers stand in no address, for browsers keep those. */
export const searched = ref('')

addEventListener('hashchange', () => (route.value = read()))

export function go(path: string): void {
  location.hash = path
}

function read(): Route {
  const [, first, rest = ''] = location.hash.split('/')
  switch (first) {
    case 'wall':
    case 'reminders':
    case 'cash':
    case 'doors':
    case 'me':
    case 'find':
      return { at: first }
    case 'intake':
      return { at: first, from: decodeURIComponent(rest) }
    case 'applications':
    case 'cases':
    case 'households':
    case 'due':
    case 'outages':
    case 'figures':
    case 'admin':
      return { at: first, id: decodeURIComponent(rest) }
    case 'job':
      if (rest) return { at: 'job', id: rest }
  }
  return { at: 'board' }
}
