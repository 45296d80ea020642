export {
  type ApiRequest,
  type Changed,
  type Client,
  createClient,
  type Propagation,
  type Resource,
} from './client.ts';
