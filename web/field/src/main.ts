import { createApp } from 'vue'
import App from './App.vue'
import { applyLook } from '../../face/look'
import { start, watch } from './phone'
import { keepShell } from './shell'
import { entitle } from '../../face/words'
import './style.css'

applyLook()
entitle('face.app')
createApp(App).mount('#app')
void start().then(watch)
// After the first paint: keeping a copy of the app must not compete with opening it.
addEventListener('load', () => setTimeout(keepShell, 1_000))
