// How the app looks: light or dark, and how large its letters are. Kept on this phone, and nobody's secret.

import { reactive, watch } from 'vue'

const KEPT = 'doorstep.look'

export const look = reactive<{ theme: 'auto' | 'light' | 'dark'; large: boolean }>(kept())

export function applyLook(): void {
  watch(
    look,
    () => {
      const root = document.documentElement
      root.dataset['theme'] = look.theme
      root.dataset['size'] = look.large ? 'large' : 'usual'
      localStorage.setItem(KEPT, JSON.stringify(look))
    },
    { immediate: true },
  )
}

function kept(): { theme: 'auto' | 'light' | 'dark'; large: boolean } {
  try {
    return { theme: 'auto', large: false, ...JSON.parse(localStorage.getItem(KEPT) ?? '{}') }
  } catch {
    return { theme: 'auto', large: false }
  }
}
