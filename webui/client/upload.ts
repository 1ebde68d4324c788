import { ApiProblem, problemOf } from './problem.ts';

export interface UploadOptions {
  type: string;
  /** POST unless told. */
  method?: 'POST' | 'PUT';
  /** Share that has been sent, 0 to 1. */
  onProgress: (share: number) => void;
  signal: AbortSignal;
}

/** Sends a file as it lies on the disk, never whole in memory, and tells how far it is; `fetch` cannot tell that. @throws ApiProblem */
export function upload<T>(url: string, file: Blob, { type, method = 'POST', onProgress, signal }: UploadOptions): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    const end = () => signal.removeEventListener('abort', abort);
    request.open(method, url);
    request.setRequestHeader('Content-Type', type);
    request.setRequestHeader('Accept', 'application/json');
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.onabort = () => {
      end();
      reject(new DOMException('cancelled', 'AbortError'));
    };
    request.onerror = () => {
      end();
      reject(new ApiProblem('unreachable', 'The connection broke while the file was sent.'));
    };
    request.onload = async () => {
      end();
      const response = new Response(request.status === 204 ? null : request.responseText, { status: request.status });
      if (response.ok) resolve((await response.json()) as T);
      else reject(await problemOf(response));
    };
    signal.addEventListener('abort', abort);
    request.send(file);
  });
}
