import { useState } from 'preact/hooks';
import { ApiProblem } from '../client/problem.ts';
import { notifyProblem } from '../components/notices.ts';
import { fieldProblems, problemText } from '../components/problem-text.ts';

export interface Form {
  busy: boolean;
  errors: Readonly<Record<string, string>>;
  onSubmit: (event: Event) => void;
}

/** Sends a form. What the box refuses is said beside the field: by its name, or by the field that a problem's code belongs to. */
export function useForm(send: () => Promise<void>, fieldOfCode: Readonly<Record<string, string>> = {}): Form {
  const [busy, setBusy] = useState(false);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const submit = async () => {
    setBusy(true);
    setErrors({});
    try {
      await send();
    } catch (error) {
      const field = error instanceof ApiProblem ? fieldOfCode[error.code] : undefined;
      const problems = field ? { [field]: problemText(error) } : fieldProblems(error);
      setErrors(problems);
      if (problems['']) notifyProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const onSubmit = (event: Event) => {
    event.preventDefault();
    void submit();
  };
  return { busy, errors, onSubmit };
}
