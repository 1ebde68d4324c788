import type { VNode } from 'preact';
import { html } from '../../components/html.ts';
import { path } from '../../router.ts';
import { ServiceDetail } from './detail.ts';
import { ServiceOverview } from './overview.ts';
import '../../styles/services.css';

/** `/admin/services`: all of them; `/admin/services/<name>`: one, with its log, settings and actions. */
export default function ServicesPage(): VNode {
  const name = path.value.split('/')[3] ?? '';
  return name === '' ? html`<${ServiceOverview} />` : html`<${ServiceDetail} key=${name} name=${name} />`;
}
