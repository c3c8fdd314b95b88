"""The route from which a fresh machine takes the node's bundle."""

from fastapi import FastAPI
from fastapi.responses import FileResponse, Response

from forge_hub.errors import NotFoundError
from forge_hub.fleet import bundle
from forge_hub.web.site import SiteOf


def add_routes(app: FastAPI) -> None:
    """Add the route."""

    @app.get(bundle.PATH)
    def install(site: SiteOf) -> Response:
        folder = site.parts.fleet.install_folder
        served = bundle.served(folder) if folder is not None else None
        if served is None:
            raise NotFoundError("no bundle was made: `forge-hub install-bundle`")
        return FileResponse(served[0], media_type="application/x-tar")
