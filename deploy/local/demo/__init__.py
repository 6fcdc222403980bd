"""`make demo`: the whole way of an application, through both doors, while the outside misbehaves."""

from deploy.local.demo.show import demo

__all__ = ["demo"]
