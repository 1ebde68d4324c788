export type { Check, Finding } from './check.ts';
export { examine, IMAGE_ONLY } from './doctor.ts';
export { Facts } from './facts.ts';
export { type DoctorPorts, type Files, filesBelow, type Output, type Run, realPorts, runPrograms, Unseen } from './ports.ts';
export { plural, size, some, span } from './words.ts';
