export {
  type Fault,
  type FaultCode,
  FaultError,
  type FaultRow,
  type FieldFault,
  faults,
  ok,
  type Result,
  refuse,
  refuseField,
  unwrap,
} from './faults.ts';
