import type { ServiceRecord, ServiceView } from '@ledge/contract';
import { type Signal, signal } from '@preact/signals';

export interface ServiceModel extends ServiceView {
  /** Asked to restart, and not seen again yet. */
  restarting: boolean;
}

/** The services of the box: what the server knows, kept up to date by what each says of itself on the bus. */
export class Services {
  readonly list: Signal<readonly ServiceModel[]> = signal([]);

  /** The server's list; it also knows those whose process is gone. */
  merge(views: readonly ServiceView[]): void {
    this.list.value = views.map((view) => this.#model(view)).sort((a, b) => a.name.localeCompare(b.name));
  }

  /** One retained record of `<edge>/service/<name>`. Returns false when it is none. */
  take(name: string, payload: string): boolean {
    let record: Partial<ServiceRecord>;
    try {
      record = JSON.parse(payload) as Partial<ServiceRecord>;
    } catch {
      return false;
    }
    if (typeof record !== 'object' || record === null || typeof record.state !== 'string') return false;
    const before = this.list.peek().find((service) => service.name === name);
    const view: ServiceView = { controllable: false, ...before, ...record, name, state: record.state };
    const others = this.list.peek().filter((service) => service.name !== name);
    this.list.value = [...others, this.#model(view)].sort((a, b) => a.name.localeCompare(b.name));
    return true;
  }

  setRestarting(name: string, restarting: boolean): void {
    this.list.value = this.list.peek().map((service) => (service.name === name ? { ...service, restarting } : service));
  }

  clear(): void {
    this.list.value = [];
  }

  /** A restart is over when another instance is ready. */
  #model(view: ServiceView): ServiceModel {
    const before = this.list.peek().find((service) => service.name === view.name);
    const anew = view.state === 'ready' && view.instance !== undefined && view.instance !== before?.instance;
    return { ...view, restarting: before?.restarting === true && !anew };
  }
}
