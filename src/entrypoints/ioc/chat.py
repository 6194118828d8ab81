"""The chat app."""

from dishka import Provider, Scope, provide

from adapters.documents.typst_setter import TypstSetter
from adapters.persistence.chats import SqlAlchemyChats
from application.chat.conversations import Conversations
from application.chat.people import Callers
from application.chat.pictures import Pictures
from application.chat.templates import Templates
from application.chat.turns import Turns
from domain.ports.conversations import ChatStore
from domain.ports.documents import DocumentSetter


class ChatModule(Provider):
    scope = Scope.APP

    documents = provide(TypstSetter, provides=DocumentSetter)
    callers = provide(Callers)
    chats = provide(SqlAlchemyChats, provides=ChatStore)
    conversations = provide(Conversations)
    pictures = provide(Pictures)
    templates = provide(Templates)
    turns = provide(Turns)
