"""The names and the words of the demo, the most frequent first."""

FIRST_NAMES = tuple(
    """
    Anna Boris Clara Daniel Elena Felix Galina Henry Irina Jack Kira Leo Maria Nikita Olga Peter
    Rita Simon Tamara Victor Анна Борис Вера Глеб Дарья Егор Жанна Зоя Иван Кира Лев Марина Никита
    Ольга Павел Роман Софья Тимур Ульяна Юлия
    """.split()
)
LAST_NAMES = tuple(
    """
    Adams Baker Carter Dixon Evans Fisher Grant Hughes Irving Jones Keller Lewis Morgan Nolan Owens
    Parker Quinn Reed Stone Turner Акимов Белов Волков Громов Дроздов Ершов Жуков Зимин Ильин Котов
    Лосев Мохов Носов Орлов Панов Рыжов Седов Титов Уваров Фомин
    """.split()
)
ENGLISH = tuple(
    """
    the gopher a to and of in is it that you for we have with my this on but not be they was are
    all so what just about can out like people from when one more day time here now your good how
    there some know new think then get make see if will today really would still who very need work
    code well back first always never home right find let try go morning evening tea coffee water
    weather rain snow sun wind street city garden forest river lake mountain sea beach island road
    bridge train bus bike car window door kitchen table chair lamp book page story letter word
    sentence question answer idea plan project team friend neighbour teacher student class lesson
    exam school library music song guitar piano concert film picture photo camera phone screen
    keyboard server database query index table backup release branch commit review bug test fix
    feature design pattern layer service router token session password profile message thread reply
    market shop bread butter cheese apple pear plum cherry soup salad pasta rice potato tomato onion
    pepper salt sugar honey chocolate cake biscuit breakfast lunch dinner party holiday weekend
    winter spring summer autumn january march july october monday friday sunday cat dog horse cow
    sheep goat rabbit hedgehog squirrel fox wolf bear owl crow sparrow fish frog bee butterfly
    flower tree leaf grass stone sand cloud star moon planet rocket paper pencil brush colour red
    green blue yellow white black small large quick slow quiet loud warm cold bright dark empty full
    early late funny serious simple clever gentle brave honest curious lazy hungry thirsty happy sad
    walk run swim climb jump dance sing write read draw paint build repair cook bake sleep dream
    remember forget learn teach explain listen speak ask promise wait hurry stay leave return travel
    """.split()
)
RUSSIAN = tuple(
    """
    и в не на я что суслик это как с а мы то все он так но вот у же за бы ты по только мне было меня
    ещё нет из теперь когда даже ну вдруг ли если уже или быть был до вас опять вам сегодня очень
    потом себя ничего может они тут где есть надо там для хорошо день время люди жизнь работа код
    дом друг утро вечер ночь чай кофе вода погода дождь снег солнце ветер улица город сад лес река
    озеро гора море берег остров дорога мост поезд автобус велосипед машина окно дверь кухня стол
    стул лампа книга страница рассказ письмо слово вопрос ответ мысль план проект команда сосед
    учитель студент класс урок экзамен школа библиотека музыка песня гитара концерт фильм картина
    снимок камера телефон экран клавиатура сервер запрос таблица копия выпуск ветка правка проверка
    ошибка тест слой сервис токен сессия пароль профиль сообщение тема рынок магазин хлеб масло сыр
    яблоко груша слива вишня суп салат рис картошка помидор лук перец соль сахар мёд шоколад торт
    печенье завтрак обед ужин праздник зима весна лето осень январь март июль октябрь понедельник
    пятница кошка собака лошадь корова овца коза кролик ёж белка лиса волк медведь сова ворона
    воробей рыба лягушка пчела бабочка цветок дерево лист трава камень песок облако звезда луна
    ракета бумага карандаш кисть цвет красный зелёный синий жёлтый белый чёрный маленький большой
    быстрый медленный тихий громкий тёплый холодный яркий тёмный пустой полный ранний поздний
    смешной серьёзный простой умный добрый смелый честный любопытный ленивый голодный весёлый
    грустный гулять бегать плавать прыгать танцевать петь писать читать рисовать строить чинить
    варить печь спать мечтать помнить забыть учить объяснять слушать говорить спросить ждать
    """.split()
)
# One post of 300 has one of these.
RARE = tuple(
    """
    axolotl quokka zeppelin theremin kaleidoscope archipelago marzipan sextant obelisk labyrinth
    xylophone yurt bathysphere samovar tamarisk velociraptor аксолотль утконос дирижабль терменвокс
    калейдоскоп архипелаг марципан секстант обелиск лабиринт ксилофон батискаф самшит виолончель
    """.split()
)
