"""Pictures of products."""

from functools import partial
from typing import Any

import graphene

from schema.base import DeleteMutation
from schema.engine.connections import ObjectField
from schema.engine.uploads import Upload
from schema.inputs import load, replace
from schema.types.catalog.products import Media, Product
from schema.updates import CreateMutation, UpdateMutation
from shop import models
from shop.actions.catalog import media, media_urls
from shop.errors import Invalid, Required
from shop.input_errors import InputErrors


class MediaCreate(CreateMutation):
    """Adds a picture to a product: an uploaded `file`, or the `url` of one that lies elsewhere."""

    permission = "shop.add_media"
    codes = ("NOT_FOUND", "FILE_TOO_LARGE", "FILE_TYPE_NOT_ALLOWED", "URL_NOT_ALLOWED")

    class Input:
        product = graphene.ID(required=True, description="Global id of the product.")
        file = Upload(
            description="JPEG, PNG, WebP or GIF, by GraphQL multipart request; its content counts, "
            "not its name."
        )
        url = graphene.String(
            description="Absolute http(s) address of a picture on a public host, without user name "
            "and password, else URL_NOT_ALLOWED; stored, never fetched."
        )
        alt = graphene.String(description="Alternative text.")

    media = ObjectField(Media, description="The new picture, the last of the product's.")

    @classmethod
    def read(cls, info: graphene.ResolveInfo, values: dict[str, Any], errors: InputErrors) -> None:
        replace(values, "product", errors, partial(load, info, Product, field="product"))
        if "file" in values and "url" in values:
            errors.add(Invalid("Give either `file` or `url`, not both.", field=["file"]))
        elif not {"file", "url"} & values.keys():
            errors.add(Required("Give a `file` or a `url`.", field=["file"]))

    @classmethod
    def save(cls, info: graphene.ResolveInfo, values: dict[str, Any]) -> Any:
        file: Any = values.get("file")
        url: str | None = values.get("url")
        if "product" not in values or (file is None) == (url is None):
            # There is nothing to add, but what was given is checked all the same.
            if file is not None:
                media.check_upload(file)
            if url is not None:
                media_urls.check(url)
            return cls()
        owner, alt = values["product"], values.get("alt", "")
        if url is not None:
            return cls(media=media.add_url(owner, url, alt=alt))
        return cls(media=media.add_upload(owner, file, alt=alt))


class MediaUpdate(UpdateMutation):
    """Changes a picture's text or place. Fields that are left out stay as they are."""

    permission = "shop.change_media"
    node_type = Media

    class Input:
        id = graphene.ID(required=True, description="Global id of the picture.")
        alt = graphene.String(description="Alternative text.")
        position = graphene.Int(description="Place among the product's pictures, from 1.")

    media = ObjectField(Media, description="The picture as it is now.")

    @classmethod
    def save(cls, info: graphene.ResolveInfo, row: models.Media, changes: dict[str, Any]) -> Any:
        return cls(media=media.update(row, **changes))


class MediaDelete(DeleteMutation):
    """Deletes a picture with its files."""

    permission = "shop.delete_media"
    node_type = Media
    remove = staticmethod(media.delete)


class MediaMutation(graphene.ObjectType):
    """Pictures."""

    media_create = MediaCreate.Field()
    media_update = MediaUpdate.Field()
    media_delete = MediaDelete.Field()
