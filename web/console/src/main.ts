import { createApp } from 'vue'
import { applyLook } from '../../face/look'
import { entitle } from '../../face/words'
import App from './App.vue'
import { whoAmI } from './session'
import './style.css'

applyLook()
entitle('desk.title')
createApp(App).mount('#app')
void whoAmI()
