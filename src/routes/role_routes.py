"""Roles, permissions and the audit log."""

from fastapi import APIRouter

from controllers import role_controller
from dependencies.auth import require
from dependencies.documentation.answers import documented_errors
from dependencies.documentation.examples import request_examples
from dependencies.params import IDEMPOTENT
from dependencies.routing.json_route import JsonRoute
from dto.role_dto import AuditEntry, Permission, Role

router = APIRouter(
    prefix="/api",
    tags=["roles"],
    route_class=JsonRoute,
)
READ = [require("role:read")]
WRITE = [require("role:write")]

router.get(
    "/roles",
    summary="List the roles",
    response_model=list[Role],
    dependencies=READ,
)(role_controller.get_roles)

router.post(
    "/roles",
    summary="Create a role",
    status_code=201,
    response_model=Role,
    responses=documented_errors({409: "There is a role host already, choose another name"}),
    dependencies=[*WRITE, IDEMPOTENT],
    openapi_extra=request_examples(
        bodies={
            "Hosts": {"name": "host", "description": "Keeps the talk friendly"},
            "Helpers": {"name": "helper"},
        }
    ),
)(role_controller.create_role)

router.get(
    "/roles/{role_id}",
    summary="Read a role",
    response_model=Role,
    responses=documented_errors({404: "Role not found"}),
    dependencies=READ,
)(role_controller.get_role)

router.patch(
    "/roles/{role_id}",
    summary="Change a role",
    response_model=Role,
    responses=documented_errors(
        {
            400: "No fields to update",
            404: "Role not found",
            409: "The role user is built in and keeps its name",
        }
    ),
    dependencies=WRITE,
)(role_controller.update_role)

router.delete(
    "/roles/{role_id}",
    summary="Delete a role",
    status_code=204,
    responses=documented_errors(
        {404: "Role not found", 409: "The role user is built in and stays"}
    ),
    dependencies=WRITE,
)(role_controller.delete_role)

router.put(
    "/roles/{role_id}/permissions",
    summary="Set the permissions of a role",
    response_model=Role,
    responses=documented_errors(
        {
            404: "There is no permission post:paint",
            409: "The role admin holds every permission; make a role of your own",
        }
    ),
    dependencies=WRITE,
)(role_controller.set_role_permissions)

router.get(
    "/permissions",
    summary="List the permissions",
    response_model=list[Permission],
    dependencies=WRITE,
)(role_controller.get_permissions)

router.post(
    "/permissions",
    summary="Create a permission",
    status_code=201,
    response_model=Permission,
    responses=documented_errors({409: "There is a permission post:pin already"}),
    dependencies=[*WRITE, IDEMPOTENT],
)(role_controller.create_permission)

router.delete(
    "/permissions/{permission_id}",
    summary="Delete a permission",
    status_code=204,
    responses=documented_errors(
        {404: "Permission not found", 409: "Take post:pin from these roles first: host"}
    ),
    dependencies=WRITE,
)(role_controller.delete_permission)

router.get(
    "/audit",
    summary="Read the audit log",
    response_model=list[AuditEntry],
    dependencies=[require("audit:read")],
)(role_controller.get_audit_log)
