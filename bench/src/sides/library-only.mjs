/** What an application imports that chooses no store. */
export { AsyncEndpointsModule } from '../../../libs/async-endpoints/dist/index.js';
