// Gives ssh2's native binding the object wrapper of nan in place of Node's own.
//
// Since Node 24 the destructor of node::ObjectWrap takes a hook off the running environment. The garbage collector
// runs destructors at moments when no environment is entered, and the process then ends with an assertion: a node
// would lose all its sessions. nan's wrapper has the same interface and no hook.
#ifndef SALLYPORT_SSH_BINDING_OBJECT_WRAP_H_
#define SALLYPORT_SSH_BINDING_OBJECT_WRAP_H_

#define SRC_NODE_OBJECT_WRAP_H_
#include <node.h>
#include <nan.h>

namespace node {
using Nan::ObjectWrap;
}

#endif
